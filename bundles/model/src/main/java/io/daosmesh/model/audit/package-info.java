/** What is written down about requests that change something. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.model.audit;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
