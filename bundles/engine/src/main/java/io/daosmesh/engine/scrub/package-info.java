/** Reads what nobody asks for, so that damage is found while another copy is good. */
@NullMarked
package io.daosmesh.engine.scrub;

import org.jspecify.annotations.NullMarked;
