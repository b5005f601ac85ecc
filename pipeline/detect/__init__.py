"""From a picture to boxes and 68 landmarks, or a reason why not: FaceBoxes and FAN, annotation, whole."""
