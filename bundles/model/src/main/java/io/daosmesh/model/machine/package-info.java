/** What a machine has, read from the files that Linux shows it in. */
@org.jspecify.annotations.NullMarked
@org.osgi.annotation.bundle.Export
@org.osgi.annotation.versioning.Version("1.0.0")
package io.daosmesh.model.machine;
