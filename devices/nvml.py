"""What NVIDIA's management library tells of the cards, without making a context on them.

Optional enrichment: names, free memory and who else uses a card. NVML counts cards its own way and ignores
CUDA_VISIBLE_DEVICES, so cards are joined on the PCI bus id. Nothing here ever raises.
"""

from __future__ import annotations

from dataclasses import dataclass

import pynvml


@dataclass(frozen=True)
class CardFacts:
    """A card as the driver sees it; memory in bytes."""

    name: str
    pci_bus_id: str
    uuid: str
    total_memory: int
    free_memory: int
    driver: str


def pci_key(bus_id: str) -> str:
    """Reduce a PCI bus id to 'bus:device.function' in lower case with a four-digit domain, as CUDA prints it."""
    domain, _, rest = bus_id.lower().partition(":")
    return f"{domain[-4:].rjust(4, '0')}:{rest}"


def cards() -> dict[str, CardFacts]:
    """Return the cards by PCI key; empty where the library or the driver is not there."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return {}
    try:
        driver = _text(pynvml.nvmlSystemGetDriverVersion())
        found = [_facts(pynvml.nvmlDeviceGetHandleByIndex(i), driver) for i in range(pynvml.nvmlDeviceGetCount())]
        return {pci_key(card.pci_bus_id): card for card in found}
    except pynvml.NVMLError:
        return {}
    finally:
        pynvml.nvmlShutdown()


def _facts(handle: object, driver: str) -> CardFacts:
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return CardFacts(
        name=_text(pynvml.nvmlDeviceGetName(handle)),
        pci_bus_id=_text(pynvml.nvmlDeviceGetPciInfo(handle).busId),
        uuid=_text(pynvml.nvmlDeviceGetUUID(handle)),
        total_memory=int(memory.total),
        free_memory=int(memory.free),
        driver=driver,
    )


def _text(value: str | bytes) -> str:
    # Older bindings return bytes.
    return value.decode() if isinstance(value, bytes) else value
