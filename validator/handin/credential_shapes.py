"""Tables of credentials that are known by their shape, or by the manner in which a program asks.

Each row has a pattern and what is written in its place. All are linear in the
length of a text, and leave the time before a line of a log alone.
"""

from __future__ import annotations

import re

REDACTED = "REDACTED"
Rule = tuple[re.Pattern[str], str]

# Words that are credentials by their own shape, wherever they stand.

TIME = r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)"
_BREAK = rf"(?:\s|\\+[rn]|{TIME}[ ])*"
_PEM_PIECE = r"(?:[A-Za-z0-9+/]{16,}={0,2}|Proc-Type:[^\n\\]*|DEK-Info:[^\n\\]*|Version:[^\n\\]*)"
_TOKEN = "|".join(
    [
        r"eyJ[\w-]{16,}(?:\.[\w-]*){0,4}",  # JWT, whole or cut
        r"(?:AKIA|ASIA|AIDA|AROA|ABIA|ACCA)[A-Z0-9]{12,}",  # AWS
        r"gh[opsur]_\w{16,}",  # GitHub
        r"github_pat_\w{16,}",
        r"glpat-[\w-]{16,}",  # GitLab
        r"hf_[A-Za-z0-9]{16,}",  # Hugging Face
        r"sk-[\w-]{20,}",  # OpenAI, Anthropic
        r"[sr]k_(?:live|test)_\w{10,}",  # Stripe
        r"xox[a-z]-[\w-]{8,}",  # Slack
        r"xapp-\d[\w-]{8,}",
        r"AIza[\w-]{20,}",  # Google
        r"ya29\.[\w-]{10,}",
        r"npm_[A-Za-z0-9]{20,}",
        r"pypi-AgE[\w-]{10,}",
        r"dckr_pat_[\w-]{16,}",  # Docker
        r"dapi[0-9a-f]{24,}",  # Databricks
        r"hvs\.[\w-]{16,}",  # Vault
        r"SG\.[\w-]{10,}\.[\w-]{10,}",  # SendGrid
        r"AGE-SECRET-KEY-\w+",
        r"\$(?:2[aby]|apr1|5|6|y)\$[\w./$]{10,}",  # hashes of passwords
    ]
)
BY_SHAPE: tuple[Rule, ...] = (
    # PEM: with its end; or cut, up to what is no base64.
    (
        re.compile(
            rf"-{{4,5}} ?BEGIN [A-Z0-9 ]+-{{4,5}}(?:(?:(?!-{{4,5}} ?BEGIN )[\s\S]){{0,20000}}?"
            rf"-{{4,5}} ?END [A-Z0-9 ]+-{{4,5}}|(?:{_BREAK}{_PEM_PIECE})*"
            rf"(?:{_BREAK}[\w+/]+={{0,2}}(?=[ \t]*(?:\n|\\+[rn]|\Z)))?)"
        ),
        REDACTED,
    ),
    (
        re.compile(
            rf"(?m)^((?:{TIME} )?)(?:[\w+/]+={{0,2}}[ \t]*\n(?:{TIME} )?)?.*"
            r"-----END [A-Z0-9 ]+-----"
        ),
        rf"\1{REDACTED}",
    ),
    (re.compile(rf"(?<![A-Za-z0-9])(?:{_TOKEN})"), REDACTED),
    # Long base64: letters of both cases and digits, no path, no digest.
    (
        re.compile(
            r"(?<![A-Za-z0-9+/])(?!(?:/[A-Za-z0-9]+){3})(?=[a-z\d+/]*[A-Z])(?=[A-Z\d+/]*[a-z])"
            r"(?=[A-Za-z+/]*\d)[A-Za-z0-9+/]{40,}={0,2}"
        ),
        REDACTED,
    ),
    # Who logs in by a URL, or by a data source's name.
    (re.compile(r"(:(?:\\?/){2})[^\s/?#\"'<>`\\]*@"), rf"\1{REDACTED}@"),
    (re.compile(r"(:(?:\\?/){2})[^\s:/@\"'<>]+:[^\s@\"'<>]*@(?!sha256:)"),
     rf"\1{REDACTED}@"),
    (re.compile(r"(?<![\w./-])[\w.+-]+:[^\s:@/\"'<>]+@(?=[\w.-]+\(|[\w-]+\.[\w.-]*[a-z])"),
     f"{REDACTED}@"),
    (re.compile(r"(hooks\.slack\.com/services/)[\w/]+"), rf"\1{REDACTED}"),
    # A URL's parameters.
    (
        re.compile(
            r"(?i)([?&;](?:amp;)?(?:sig|signature|key|code|token|\w*_token|x-amz-(?:signature|"
            r"credential|security-token)|x-goog-(?:signature|credential))=)[^\s&\"'<>]+"
        ),
        rf"\1{REDACTED}",
    ),
    # Headers: all of the line.
    (
        re.compile(r"(?i)((?<![\w-])(?:proxy-)?authorization[\"'\\]*\s*:[ \t]*)(?![\"'\\])[^\n]+"),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"(?i)((?<![\w-])(?:set-)?cookie:[ \t]*)[^\n]+"), rf"\1{REDACTED}"),
    (
        re.compile(
            r"(?i)(?<![\w-])(bearer[ \t]+)(?!(?:tokens?|auth\w*|of|in|is)\b)[^\s\"',;<>\\]{4,}"
        ),
        rf"\1{REDACTED}",
    ),
    (
        re.compile(r"(?<![\w-])([Bb]asic[ \t]+)(?=[A-Za-z+/]*[A-Z0-9=])[A-Za-z0-9+/]{8,}={0,2}"),
        rf"\1{REDACTED}",
    ),
)  # fmt: skip

# Words that are credentials by what stands before them, in the manner of one program.

PROGRAM = re.compile(
    r"(?:^|/)(?:mysql\w*|mariadb\w*|sshpass|docker|podman|nerdctl|helm|oras|az|skopeo|mongo\w*|"
    r"redis-cli|ldap\w+|htpasswd)$"
)
BY_MANNER: tuple[Rule, ...] = (
    (re.compile(r"(<[\w.:-]*(?:(?i:passw|pwd|secret|token|key))[\w.:-]*(?: [^<>]*)?>)[^<]+(?=</)"),
     rf"\1{REDACTED}"),
    (
        re.compile(
            r"(\b(?:mysql\w*|mariadb\w*|sshpass|(?:docker|podman|nerdctl|helm registry|oras|az|"
            r"skopeo) login|mongo\w*|redis-cli|ldap\w+)\b[^\n;|&]{0,200}?\s-(?:p|a|w)[ \t]*)"
            r"(?![ \t-])[^\s\"']+"
        ),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"((?<![\w-])(?:-u|--user|--proxy-user)[ \t=]*[\"']?[^\s:\"'=]+:)[^\s\"']+"),
     rf"\1{REDACTED}"),
    (re.compile(r"((?<![\w-])(?:echo|printf)\s)[^\n|]{0,300}(?=\|[^\n|]{0,200}-stdin\b)"),
     rf"\1{REDACTED} "),
    # .netrc, on one line or on several.
    (re.compile(rf"(?im)(^(?:{TIME} )?[ \t]*password[ \t]+)(?!{REDACTED})\S+(?=[ \t]*$)"),
     rf"\1{REDACTED}"),
    (re.compile(r"(?i)(\b(?:login|user|account)[ \t]+\S+[ \t]+password[ \t]+)\S+"),
     rf"\1{REDACTED}"),
    (re.compile(r"(?i)(\b(?:identified (?:with \S+ )?by|password)[ \t]+)(\\*['\"])[^\n]*?\2"),
     rf"\1\2{REDACTED}\2"),
    (re.compile(r"(\b(?:ENV|setenv)[ \t]+\w*(?i:passw|pwd|secret|token|key)\w*[ \t]+)\S+"),
     rf"\1{REDACTED}"),
)  # fmt: skip
