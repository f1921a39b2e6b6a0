@NullMarked
package io.daosmesh.management.system;

import org.jspecify.annotations.NullMarked;
