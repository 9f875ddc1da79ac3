"""Tests of the site: pages, DCAT-AP, schema.org."""
