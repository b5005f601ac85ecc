"""The synthesiser: pictures of rendered heads in 300W-LP's format, each from (seed, data set id, number) alone.

`picture.Synthesiser` draws; `writer` says what stands in the files; `plan` says which picture is what. Any
MorphableModel can be rendered: what hair, glasses and hands need is read off its 68 landmarks (`anatomy`).
"""
