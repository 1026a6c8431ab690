"""Desired state: YAML files under `policy_specs/` into frozen values.

    from mailtls.spec.load import load  # the reader of YAML, which not everybody needs who knows a spec

    for spec in load(Path("policy_specs")):
        print(spec.policy_domain, spec.mta_sts.mode if spec.mta_sts else "TLS-RPT only")

A file holds one spec, or a map of them under `policy_domains`; the `defaults.yaml` of a folder fills what the specs
below it leave out. What a key means and what it risks is written in `policy_spec.v1.schema.json`, from which
`docs/spec-reference.md` is made. Everything that is wrong in all files is reported at once, each with file, line and
column, before anything is built from any of them.
"""

from mailtls.spec.errors import SpecError, SpecErrors
from mailtls.spec.model import MtaSts, PolicySpec, Source, TlsRpt

__all__ = ["MtaSts", "PolicySpec", "Source", "SpecError", "SpecErrors", "TlsRpt"]
