"""OUMVLP-Pose as its authors distribute it."""

from .oumvlp import make_oumvlp_pose as make_oumvlp_pose
