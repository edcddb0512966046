"""An emulator of a Proxmox VE node's tools, as its recorded sessions show them. It keeps its state in a root folder."""
