"""Errors of the whole product; the tree is small on purpose.

::

    ArchiveError
    ├── SettingsError
    ├── IndexStoreError
    │   ├── IndexNotFoundError
    │   └── IndexMismatchError
    ├── EncoderError
    ├── OpeningError           (index/opening_decisions.py)
    ├── BackupError            (index/backup.py)
    ├── PackingError           (index/packing.py)
    ├── RenderError            (index/rendering.py)
    │   └── LockedDocumentError
    ├── PackageError           (index/packages.py)
    │   ├── LockedPackageError
    │   └── LockedOfdError     (index/ofd.py)
    ├── IngestError            (ingest/errors.py)
    ├── RegisterError          (assistant/register.py)
    └── AssistantError         (assistant/domain.py)
        └── LanguageModelError (assistant/composing.py)

A message is one Chinese sentence (or two) that names the offending value and the next step.
"""

from __future__ import annotations


class ArchiveError(Exception):
    """Anything the product raises on purpose. The message may be shown to the user as it is."""


class SettingsError(ArchiveError):
    """A setting is unknown or out of range."""


class IndexStoreError(ArchiveError):
    """The home folder or an index in it cannot be used."""


class IndexNotFoundError(IndexStoreError):
    """There is nothing to search yet."""


class IndexMismatchError(IndexStoreError):
    """The stored index was made with another encoder, width or format."""


class EncoderError(ArchiveError):
    """The embedding model cannot be loaded or gave unusable output."""
