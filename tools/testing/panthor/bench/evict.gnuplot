# SPDX-License-Identifier: GPL-2.0
# Eviction with swap-out: throughput by buffer size.
set terminal svg size 800,500
set title "Eviction and swap-out of 128 MiB"
set xlabel "buffer size"
set ylabel "million pages a second"
set logscale x 2
set xtics ("4 KiB" 4, "64 KiB" 64, "1 MiB" 1024, "16 MiB" 16384)
set yrange [0:*]
set key bottom right
plot data using 1:2 with linespoints title "private, awake", \
     data using 1:3 with linespoints title "private, suspended", \
     data using 1:4 with linespoints title "shared, awake", \
     data using 1:5 with linespoints title "mapped by the CPU", \
     data using 1:6 with lines dashtype 2 title "shmem, MADV\\_PAGEOUT"
