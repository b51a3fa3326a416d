"""The ICS spoke: a published calendar at an address, to be read and never written.

``address`` reads what people paste, ``feed`` takes a calendar file apart into objects, ``provider``
implements ``bridge.ports.Provider`` with conditional requests.
"""
