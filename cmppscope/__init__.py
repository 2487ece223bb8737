"""cmppscope: a protocol analyzer for CMPP 2.0, the protocol between service providers and SMS gateways."""

__version__ = "0.1.0"
