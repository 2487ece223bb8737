"""Scapy layers for the short message protocols that cmppscope reads.

Each protocol is a package of its own: `from dissectors.cmpp import CMPP, CMPPSubmit`.
"""
