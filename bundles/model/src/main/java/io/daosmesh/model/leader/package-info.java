/** Who leads a replicated service: how callers find out. Pure. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.model.leader;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
