"""The terminal application: what the Analysis tells, on screens that fill while the capture is read.

A worker thread reads and analyses and leaves what it learnt in an inbox; the application takes it from there into its
store; panes draw what is visible from the store. The worker touches no widget, the widgets touch no Analysis.
"""
