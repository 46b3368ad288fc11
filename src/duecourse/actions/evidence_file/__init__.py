"""The evidence of a case as it is put before a court, an arbitrator, an administrator or an insurer.  证据材料

`completeness` says what is missing for which route, `bundle` sets the documents as one PDF with an index, `package` writes the files with a
manifest that `sha256sum` verifies, `checking` says whether a package is as it was written. Each is a function of `facts`.
"""
