/** The metrics pages of hosts as dmg reads them. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.metrics;
