"""Questions to the clouds before the first resource: what goes wrong is one line with setting, cause and next step.

They are asked in the form that waits for its answer. What the other form, which gives an Output, fails with cannot be
caught: it ends the program with a traceback.
"""

import re
from collections.abc import Callable
from typing import TypeVar

import pulumi
import pulumi_aws as aws

Answer = TypeVar("Answer")

LONGEST = 300
"""Characters of a provider's words that are passed on."""

_WRAPPING = re.compile(r"^(?:invoke of \S+ failed: )?(?:invocation of \S+ returned an error: )?(?:invoking \S+: )?")
_NO_CREDENTIALS = re.compile(
    r"credential|ExpiredToken|InvalidClientTokenId|security token|UnrecognizedClient|SignatureDoesNotMatch|SSO", re.I
)
_NO_PERMISSION = re.compile(r"AccessDenied|not authorized|UnauthorizedOperation|\b403\b", re.I)


class LookUpFailed(pulumi.RunError):
    """A question had no answer. `str()` is what to tell the user."""


class NotLetIn(LookUpFailed):
    """The credentials are missing, wrong, or have no right to this."""


def answer(question: Callable[[], Answer], told: Callable[[str], pulumi.RunError]) -> Answer:
    """The answer to `question`. told: makes the error for the user out of the provider's words; it is raised."""
    try:
        return question()
    except Exception as e:  # the SDK raises nothing narrower for what a provider answers
        raise told(provider_words(str(e))) from e


def provider_words(text: str) -> str:
    """What the provider said, in one line, without the engine's wrapping."""
    line = " ".join(_WRAPPING.sub("", text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def account_id() -> str:
    """The AWS account that the credentials belong to. Raises LookUpFailed."""
    found = answer(
        aws.get_caller_identity, lambda words: no_aws(words) or LookUpFailed(f"AWS does not answer: {words}")
    )
    return str(found.account_id)


def no_aws(words: str) -> NotLetIn | None:
    """The error when AWS let nobody in, or not to this; None when it is about something else."""
    if _NO_PERMISSION.search(words):
        return NotLetIn(
            f"AWS credentials: they may not do this: {words}; give them the rights listed in "
            'docs/first-real-deployment.md, "Permissions", then run "pulumi up" again'
        )
    if _NO_CREDENTIALS.search(words):
        return NotLetIn(
            f"AWS credentials (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY): none, or no valid ones: "
            f'{words}; log in until "aws sts get-caller-identity" answers, then run "pulumi up" again'
        )
    return None
