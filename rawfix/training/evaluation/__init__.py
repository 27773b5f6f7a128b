"""How good a trained network is, measured as a photographer would look: pictures, defects, noise, charts, peers.

Protocol, the same for every method: sRGB pictures are decoded to linear light and exposed to 0.9 of white on a
sensor of neutral 0.5/1/0.65 (white balance 2/1/1.54) with sRGB's primaries; results are compared as 8-bit sRGB, the
exposure undone, 10 pixels of border cut. Noise is that of a sensor with 90,000 e- full well and 2.5 e- read noise at
ISO 100, variance shot·x + read, shot growing with the speed and read with its square. Defects are planted by
`rawfix.physics.defects`. Demosaicing linear light is harder than the gamma-encoded values of the literature, and
what a RAW developer meets.
"""
