/** The commands of dmg, for a program that shows them without being dmg: the console of a node. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.admin.command;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
