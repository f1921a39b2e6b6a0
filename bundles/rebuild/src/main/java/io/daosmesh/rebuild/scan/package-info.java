@NullMarked
package io.daosmesh.rebuild.scan;

import org.jspecify.annotations.NullMarked;
