/** What administrators read: text layouts and JSON fields, shared by dmg and the console. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.admin.view;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
