"""Worked example packages, all made up; each says what it is modelled on."""
