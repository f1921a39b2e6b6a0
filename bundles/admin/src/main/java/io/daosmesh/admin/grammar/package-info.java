/** What administrators type: host lists, rank sets, sizes, ratios, key:value lists. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.admin.grammar;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
