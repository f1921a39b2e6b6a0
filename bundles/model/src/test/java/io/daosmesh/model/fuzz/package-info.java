/** Damaged inputs for everything that reads bytes of somebody else; used by the tests of all modules. */
package io.daosmesh.model.fuzz;
