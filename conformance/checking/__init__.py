"""Cases, registry and schemas held against each other; entries proposed for what fails. Imports reports and suite."""
