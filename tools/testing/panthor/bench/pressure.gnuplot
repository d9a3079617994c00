# SPDX-License-Identifier: GPL-2.0
# GPU memory half as large again as RAM: where it is over time.
set terminal svg size 800,500
set title "384 MiB of GPU memory in 256 MiB of RAM, six VMs taking turns"
set xlabel "seconds"
set ylabel "MiB"
set yrange [0:*]
set key outside bottom center horizontal
plot data using 1:2 with lines title "resident", \
     data using 1:3 with lines title "evicted", \
     data using 1:4 with lines title "swap in use"
