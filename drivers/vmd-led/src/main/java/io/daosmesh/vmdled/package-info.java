/** Status lights of drive slots. */
@NullMarked
package io.daosmesh.vmdled;

import org.jspecify.annotations.NullMarked;
