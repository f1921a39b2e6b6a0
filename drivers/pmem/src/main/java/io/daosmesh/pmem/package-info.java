/** SCM spaces of the classes {@code file}, {@code ram} and {@code dcpm}. */
@NullMarked
package io.daosmesh.pmem;

import org.jspecify.annotations.NullMarked;
