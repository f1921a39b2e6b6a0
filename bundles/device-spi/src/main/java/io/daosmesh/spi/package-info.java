/** What a hardware driver must do and may assume. JDK types only; contract tests live in this module's test jar. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.spi;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
