"""Sentences about definitions and the integrations made of them."""

from collections.abc import Mapping
from typing import Final

from eventjobs.audit.sentences.words import Data, Teller, listed, many


def _registered(integration: str, data: Data) -> str:
    features = f", with {listed(data['features'])} in Onboarding" if data["features"] else ""
    return f"Integration {integration} was registered from workspace {data['definition_workspace']}{features}."


def _integration_synced(integration: str, data: Data) -> str:
    more = f"; {many(len(data['added']), 'thing')} came" if data["added"] else ""
    less = f"; {many(len(data['archived']), 'thing')} left" if data["archived"] else ""
    return f"Integration {integration} is in sync with version {data['version']}{more}{less}."


TELLERS: Final[Mapping[str, Teller]] = {
    "definition.published": lambda definition, data: (
        f"Version {data['version']} of the definition {definition} was published."
    ),
    "definition.registered": lambda definition, data: (
        f"The definition {definition} was registered in workspace {data['by']}."
    ),
    "integration.activated": lambda integration, _: f"Integration {integration} was activated.",
    "integration.configured": lambda integration, _: f"Integration {integration} has another configuration.",
    "integration.feature_status_set": lambda integration, data: (
        f"Feature {data['feature']} of integration {integration} went from {data['before']} to {data['status']}."
    ),
    "integration.inactivated": lambda integration, _: f"Integration {integration} was inactivated.",
    "integration.registered": _registered,
    "integration.sync_failed": lambda integration, data: (
        f"Integration {integration} could not be brought to version {data['version']}: {data['detail']}."
    ),
    "integration.synced": _integration_synced,
}
