/** The programs dmg, daos and certs: thin over admin, client and transport. */
@NullMarked
package io.daosmesh.cli;

import org.jspecify.annotations.NullMarked;
