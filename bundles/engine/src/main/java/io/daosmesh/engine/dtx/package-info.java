/** Distributed transactions of single updates: table, record format and the rules that settle them. Pure. */
@NullMarked
package io.daosmesh.engine.dtx;

import org.jspecify.annotations.NullMarked;
