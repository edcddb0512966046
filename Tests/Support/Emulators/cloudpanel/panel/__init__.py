"""An emulator of CloudPanel's command line. It keeps its state where the panel does, below a root folder."""
