"""The version of the compiler, as it stands in the header of every generated file."""

VERSION = "0.1.0"
