/** Who may say what in the console of a node, and the record of it; Karaf's command ACLs in etc are the other half. */
@NullMarked
package io.daosmesh.console.guard;

import org.jspecify.annotations.NullMarked;
