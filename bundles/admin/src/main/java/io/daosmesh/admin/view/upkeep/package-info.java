/** What administrators read of operations on all pools. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.admin.view.upkeep;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
