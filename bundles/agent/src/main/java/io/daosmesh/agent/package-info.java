/**
 * The daemon that stands between the processes of a machine and a system: says who they are, tells them where the system is, and
 * gives back what they leave open when they end. A plain library; {@code daos_agent} in cli runs it.
 */
@NullMarked
package io.daosmesh.agent;

import org.jspecify.annotations.NullMarked;
