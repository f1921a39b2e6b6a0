package io.daosmesh.agent;

/**
 * Who is at the other end of a connection, as the kernel says. Immutable.
 *
 * @param user name, or a number where the machine has no name for it
 * @param group the effective one when the process connected; likewise
 */
record Caller(String user, String group) {}
