/** What a node, or its machine, hands out for a look at a problem. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.model.support;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
