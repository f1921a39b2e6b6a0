/** The files of an engine on its SCM. */
@NullMarked
package io.daosmesh.storage.scm;

import org.jspecify.annotations.NullMarked;
