/** Contract tests every driver and every emulated device must pass; shipped in this module's test jar. */
package io.daosmesh.spi.contract;
