"""Who bears the loss, and until when: what a contract, a law or an insurer says.  保障"""
