/** The tool of a server machine: what can be done there without a running node. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.server;
