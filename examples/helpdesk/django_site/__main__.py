"""django-helpdesk on this machine: `python -m examples.helpdesk.django_site PORT`.

SITE_FOLDER takes its database, SITE_SECRET signs its sessions; with SITE_PASSWORD, `sam` may log
in.

Makes what is missing (tables, a queue, the worker and an agent) and prints one JSON
line for whoever starts it: {"queue", "worker": {"id", "token"}, "agent": {"id", "token"}}.
"""

import json
import os
import sys

import django
from django.core.management import call_command


def main(port: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "examples.helpdesk.django_site.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    print(json.dumps(_furnish()), flush=True)  # noqa: T201
    call_command("runserver", f"127.0.0.1:{port}", use_reloader=False, verbosity=0)


def _furnish() -> dict[str, object]:
    from helpdesk.models import Queue

    queue, _ = Queue.objects.get_or_create(slug="social", defaults={"title": "Social media"})
    return {"queue": queue.id, "worker": _user("firstreply"), "agent": _user("sam")}


def _user(name: str) -> dict[str, object]:
    from django.contrib.auth.models import User
    from rest_framework.authtoken.models import Token

    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    if password := os.environ.get("SITE_PASSWORD"):
        user.set_password(password)
        user.save()
    token, _ = Token.objects.get_or_create(user=user)
    return {"id": user.id, "token": token.key}


if __name__ == "__main__":
    main(int(sys.argv[1]))
