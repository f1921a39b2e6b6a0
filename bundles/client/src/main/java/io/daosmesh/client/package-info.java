/** The library applications use: pools, containers, objects, key-value, arrays, and what makes calls survive failures. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.client;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
