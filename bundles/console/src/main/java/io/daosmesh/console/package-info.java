/** Commands {@code daos:*} of a node's Karaf console; what they print is admin's, the same as dmg's. */
@NullMarked
package io.daosmesh.console;

import org.jspecify.annotations.NullMarked;
