@NullMarked
package io.daosmesh.rebuild.runtime;

import org.jspecify.annotations.NullMarked;
