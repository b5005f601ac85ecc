"""Twins of vertex normals and Phong shading."""

import numpy as np


def vertex_normals(vertices, triangles) -> np.ndarray:
    """Twin of geometry.mesh.vertex_normals: (N, 3) float64."""
    vertices = np.asarray(vertices, np.float64)
    normals = np.zeros_like(vertices)
    for i, j, k in np.asarray(triangles):
        face = np.cross(vertices[j] - vertices[i], vertices[k] - vertices[i])
        for corner in (i, j, k):
            normals[corner] += face
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)


def shade(normals, albedo, ambient, lights, specular=0.0, shininess=20.0, view=(0.0, 0.0, 1.0)) -> np.ndarray:
    """Twin of geometry.mesh.shade: (N, 3) float64; lights are (direction, rgb) pairs."""
    normals, albedo = np.asarray(normals, np.float64), np.asarray(albedo, np.float64)
    gloss = np.broadcast_to(np.asarray(specular, np.float64), len(normals))
    eye = np.asarray(view, np.float64) / np.linalg.norm(view)
    colours = albedo * np.broadcast_to(np.asarray(ambient, np.float64), 3)
    for direction, rgb in lights:
        toward = np.asarray(direction, np.float64) / np.linalg.norm(direction)
        rgb = np.broadcast_to(np.asarray(rgb, np.float64), 3)
        for n, normal in enumerate(normals):
            lambert = normal @ toward
            if lambert <= 0:
                continue
            mirrored = (2 * lambert * normal - toward) @ eye
            colours[n] += albedo[n] * rgb * lambert + gloss[n] * rgb * max(mirrored, 0.0) ** shininess
    return colours
