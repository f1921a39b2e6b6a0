/** What bundles of a node offer each other as OSGi services. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.model.port;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
