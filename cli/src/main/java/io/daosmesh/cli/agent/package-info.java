/** The daemon of a client machine. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.agent;
