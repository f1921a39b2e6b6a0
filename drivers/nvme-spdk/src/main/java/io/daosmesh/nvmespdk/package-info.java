/** Block devices of the class {@code file}: sparse files with the manners of an SSD. */
@NullMarked
package io.daosmesh.nvmespdk;

import org.jspecify.annotations.NullMarked;
